// ONNX files by OpenCV's dnn module, which shares no code with what writes them.

#include <ATen/Parallel.h>
#include <torch/utils.h>

#include <algorithm>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn/dnn.hpp>

#include "ptnas/core/error.h"
#include "ptnas/export/exported_model.h"

namespace ptnas {

namespace {

// Calls `work`; what OpenCV throws becomes an Error of one line.
template <typename Work>
auto by_opencv(const std::string& what, const Work& work) {
  std::string reason;
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const cv::Exception& error) {
    reason = error.err;
  } catch (const std::exception& error) {
    reason = error.what();
  }
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  fail("OpenCV's dnn module cannot use {}: {}", what, reason.empty() ? "it does not say why" : reason);
}

class OnnxModel final : public ExportedModel {
 public:
  OnnxModel(ExportCard card, cv::dnn::Net net, std::string what)
      : ExportedModel(std::move(card)), net_(std::move(net)), what_(std::move(what)) {}

  torch::Tensor run(const torch::Tensor& images) override {
    const torch::Tensor input = images.to(torch::kCPU, torch::kFloat).contiguous();
    std::vector<int> sides(input.sizes().begin(), input.sizes().end());
    return by_opencv(what_, [&] {
      cv::setNumThreads(at::get_num_threads());
      net_.setInput(cv::Mat(static_cast<int>(sides.size()), sides.data(), CV_32F, input.data_ptr<float>()));
      const cv::Mat output = net_.forward();
      const std::vector<std::int64_t> sizes(output.size.p, output.size.p + output.dims);
      if (output.type() != CV_32F || !output.isContinuous())
        fail("OpenCV's dnn module gave something else than numbers for {}", what_);
      return torch::from_blob(output.data, sizes, torch::kFloat).clone();
    });
  }

 private:
  cv::dnn::Net net_;
  std::string what_;
};

}  // namespace

std::string onnx_runtime() { return "OpenCV " CV_VERSION; }

std::unique_ptr<ExportedModel> read_onnx(const std::string& bytes, const std::string& what) {
  ExportCard card = export_card_from_json(onnx_metadata(bytes, what), what);
  return by_opencv(what, [&]() -> std::unique_ptr<ExportedModel> {
    // What it fails at it would print as well; the exception says it.
    cv::redirectError([](int, const char*, const char*, const char*, int, void*) { return 0; });
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::dnn::Net net = cv::dnn::readNetFromONNX(bytes.data(), bytes.size());
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    return std::make_unique<OnnxModel>(std::move(card), std::move(net), what);
  });
}

}  // namespace ptnas
