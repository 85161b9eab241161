#include "ptnas/data/fetch.h"

namespace ptnas {

namespace {

// Addresses, sizes and sums are those that TensorFlow Datasets has downloaded and checks, one file a set in
// https://github.com/tensorflow/datasets/tree/master/tensorflow_datasets/url_checksums (cifar10.txt, ..).
constexpr const char* kChecksums = "tensorflow/datasets, url_checksums/";

std::string sums_of(const char* name) { return std::string(kChecksums) + name + ".txt"; }

// The four files of MNIST and of the sets in its form, below one address.
std::vector<FetchFile> idx_files(const std::string& url, std::vector<FetchFile> files) {
  for (FetchFile& file : files) file.url = url + file.name;
  return files;
}

FetchSet cifar(int classes, std::uint64_t bytes, const char* sha256) {
  const std::string number = std::to_string(classes), archive = "cifar-" + number + "-binary.tar.gz";
  return {.name = "cifar" + number,
          .files = {{archive, "https://www.cs.toronto.edu/~kriz/" + archive, bytes, sha256, true}},
          .use = "cifar" + number + ":",
          .homepage = "https://www.cs.toronto.edu/~kriz/cifar.html",
          .terms = "no licence is stated; its page asks to cite Krizhevsky's report of 2009",
          .sums = sums_of(("cifar" + number).c_str()),
          .by_hand = ""};
}

FetchSet svhn() {
  const std::string page = "http://ufldl.stanford.edu/housenumbers/";
  return {.name = "svhn",
          .files = {{"train_32x32.mat", page + "train_32x32.mat", 182040794,
                     "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8", false},
                    {"test_32x32.mat", page + "test_32x32.mat", 64275384,
                     "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b", false}},
          .use = "svhn:",
          .homepage = page,
          .terms = "for non-commercial use only, as its page says",
          .sums = sums_of("svhn_cropped"),
          .by_hand = ""};
}

FetchSet mnist() {
  return {.name = "mnist",
          .files = idx_files("https://storage.googleapis.com/cvdf-datasets/mnist/",
                             {{"train-images-idx3-ubyte.gz", "", 9912422,
                               "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", false},
                              {"train-labels-idx1-ubyte.gz", "", 28881,
                               "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", false},
                              {"t10k-images-idx3-ubyte.gz", "", 1648877,
                               "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", false},
                              {"t10k-labels-idx1-ubyte.gz", "", 4542,
                               "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", false}}),
          .use = "idx:",
          .homepage = "https://github.com/cvdfoundation/mnist",
          .terms = "no licence is stated; the copy is hosted with Yann LeCun's permission, as its page says",
          .sums = sums_of("mnist"),
          .by_hand = ""};
}

FetchSet fashion_mnist() {
  return {
      .name = "fashion-mnist",
      .files = idx_files("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                         {{"train-images-idx3-ubyte.gz", "", 26421880,
                           "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", false},
                          {"train-labels-idx1-ubyte.gz", "", 29515,
                           "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", false},
                          {"t10k-images-idx3-ubyte.gz", "", 4422102,
                           "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", false},
                          {"t10k-labels-idx1-ubyte.gz", "", 5148,
                           "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", false}}),
      .use = "fashion-mnist:",
      .homepage = "https://github.com/zalandoresearch/fashion-mnist",
      .terms =
          "the MIT (Expat) licence, as Debian's package dataset-fashion-mnist says, which saves the download",
      .sums = sums_of("fashion_mnist"),
      .by_hand = ""};
}

FetchSet kmnist() {
  return {.name = "kmnist",
          .files = idx_files("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
                             {{"train-images-idx3-ubyte.gz", "", 18165135,
                               "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4", false},
                              {"train-labels-idx1-ubyte.gz", "", 29497,
                               "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17", false},
                              {"t10k-images-idx3-ubyte.gz", "", 3041136,
                               "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5", false},
                              {"t10k-labels-idx1-ubyte.gz", "", 5120,
                               "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c", false}}),
          .use = "idx:",
          .homepage = "https://github.com/rois-codh/kmnist",
          .terms =
              "CC BY-SA 4.0: \"KMNIST Dataset\" (created by CODH), adapted from \"Kuzushiji Dataset\" "
              "(created by NIJL and "
              "others), doi:10.20676/00000341",
          .sums = sums_of("kmnist"),
          .by_hand = ""};
}

FetchSet imagenet16_120() {
  return {.name = "imagenet16-120",
          .files = {},
          .use = "imagenet16-120:",
          .homepage = "https://www.image-net.org/download-images",
          .terms =
              "ImageNet's terms of access: for non-commercial research and education, after signing in and "
              "agreeing to them",
          .sums = "none is known to us",
          .by_hand =
              "its terms ask you to agree to them first, at https://www.image-net.org/download-images; "
              "download the archives "
              "of the 16x16 images there"};
}

// The address is of a page for browsers, in https://github.com/D-X-Y/NATS-Bench (README.md, LICENSE.md).
FetchSet nats() {
  return {.name = "nats-tss",
          .files = {{"NATS-tss-v1_0-3ffb9-simple.tar", "", 0, "", true}},
          .use = "",
          .homepage = "https://github.com/D-X-Y/NATS-Bench",
          .terms = "the MIT licence of its repository",
          .sums = "none is known to us",
          .by_hand =
              "its authors offer NATS-tss-v1_0-3ffb9-simple.tar through a page for browsers only, linked at "
              "https://github.com/D-X-Y/NATS-Bench; download it there"};
}

}  // namespace

const std::vector<FetchSet>& fetch_table() {
  static const std::vector<FetchSet> table = {
      cifar(10, 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
      cifar(100, 168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
      svhn(),
      mnist(),
      fashion_mnist(),
      kmnist(),
      imagenet16_120(),
      nats()};
  return table;
}

}  // namespace ptnas
