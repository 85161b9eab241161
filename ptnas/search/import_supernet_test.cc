#include "ptnas/search/import_supernet.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/train/supernet_trainer.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

/// Ten classes of 32x32 colour images, as the published supernets expect them.
class ColourDataset final : public Dataset {
 public:
  ColourDataset() {
    info_.name = "colours";
    for (int c = 0; c < 10; ++c) info_.classes.push_back(std::to_string(c));
    info_.height = info_.width = 32;
    info_.mean = info_.deviation = {0.5, 0.5, 0.5};
  }
  std::int64_t size(Part) const override { return 20; }
  int label(Part, std::int64_t index) const override { return static_cast<int>(index % 10); }
  void read(Part, std::int64_t index, std::uint8_t* pixels) const override {
    for (int i = 0; i < 3 * 32 * 32; ++i) pixels[i] = static_cast<std::uint8_t>(i * (index + 1));
  }
};

class ImportSupernetTest : public testing::Test {
 protected:
  ImportSupernetTest() {
    task.search = SearchOptions{};
    task.search.space = "s2";
    task.search.cells = 3;
  }
  void import(const std::filesystem::path& checkpoint) {
    RunDirectory run = RunDirectory::open_for_writing(folder / "run");
    import_supernet(run, checkpoint, dataset, task.data, task.search, task.runtime);
  }
  bool imported() { return std::filesystem::exists((folder / "run") / RunDirectory::kSupernet); }

  const std::filesystem::path published =
      std::filesystem::path(PTNAS_SOURCE_DIR) / "../shared/fixtures/parity-s2/checkpoint.pth.tar";
  ScratchDirectory folder;
  TinyTask task;
  ColourDataset dataset;
};

TEST_F(ImportSupernetTest, APublishedSupernetBecomesOurs) {
  if (!std::filesystem::exists(published)) GTEST_SKIP() << "no fixture " << published;
  import(published);
  SupernetTrainer trainer(dataset, task.data, task.search, task.runtime);
  const torch::Tensor before = trainer.architecture().alpha(CellType::kNormal).detach().clone();
  load_supernet((folder / "run") / RunDirectory::kSupernet, trainer);
  EXPECT_FALSE(torch::equal(before, trainer.architecture().alpha(CellType::kNormal)));
  EXPECT_TRUE(RunDirectory::open_for_reading(folder / "run").finished("search"));
}

TEST_F(ImportSupernetTest, AnotherShapeIsRefusedAndNothingWritten) {
  if (!std::filesystem::exists(published)) GTEST_SKIP() << "no fixture " << published;
  task.search.channels = 12;
  EXPECT_THROW(import(published), Error);
  task.search.channels = 16;
  task.search.space = "s4";
  EXPECT_THROW(import(published), Error);
  EXPECT_FALSE(imported());
}

TEST_F(ImportSupernetTest, MissingAndForeignFilesAreRefused) {
  EXPECT_THROW(import(folder / "missing.pth"), Error);
  write_file(folder / "foreign.pth", "not a checkpoint");
  EXPECT_THROW(import(folder / "foreign.pth"), Error);
  EXPECT_FALSE(imported());
}

}  // namespace
}  // namespace ptnas
