#include "ptnas/job/configuration.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ptnas/core/error.h"

namespace ptnas {
namespace {

TEST(ConfigurationTest, LaterLayersWinAndThePresetLiesBeneathThemAll) {
  const Configuration c =
      resolve_configuration({{"file", {{"preset", "quick"}, {"epochs", "7"}, {"channels", "9"}}},
                             {"command line", {{"channels", "11"}}}});
  EXPECT_EQ(c.preset, "quick");
  EXPECT_EQ(c.search.epochs, 7);
  EXPECT_EQ(c.search.channels, 11);
  EXPECT_EQ(c.select.tune_epochs, std::stoi(preset_values("quick").at("tune-epochs")));
}

TEST(ConfigurationTest, APresetNamedByTheLastLayerIsTheOne) {
  const Configuration c =
      resolve_configuration({{"file", {{"preset", "quick"}}}, {"command line", {{"preset", "released"}}}});
  EXPECT_EQ(c.select.topology, "rounds");
  EXPECT_EQ(c.search.epochs, SearchOptions().epochs);
}

TEST(ConfigurationTest, PaperIsTheDefaults) {
  Configuration defaults;
  Configuration paper = resolve_configuration({});
  const auto a = option_values(defaults), b = option_values(paper);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].value, b[i].value) << a[i].name;
}

TEST(ConfigurationTest, EveryPresetIsValidAndKnowsItsOptions) {
  const std::vector<std::string> names = option_names(kAllParts);
  for (const std::string& preset : preset_names()) {
    EXPECT_NO_THROW(resolve_configuration({{"command line", {{"preset", preset}}}})) << preset;
    for (const auto& [name, value] : preset_values(preset)) {
      EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << preset << " sets " << name;
    }
  }
}

// Of the space that the last layer names; presets, files and flags lie over them.
TEST(ConfigurationTest, ASpaceHasDefaultsOfItsOwn) {
  const std::vector<std::string> names = option_names(kAllParts);
  const OptionValues defaults = space_values("nb201");
  for (const auto& [name, value] : defaults)
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  EXPECT_TRUE(space_values("darts").empty());
  const Configuration c = resolve_configuration({{"command line", {{"space", "nb201"}, {"epochs", "7"}}}});
  EXPECT_EQ(c.search.epochs, 7);
  EXPECT_EQ(c.search.cells, 5);
  EXPECT_EQ(c.train.epochs, 200);
  EXPECT_EQ(c.train.batch, 256);
  EXPECT_TRUE(c.train.nesterov);
  EXPECT_EQ(c.train.learning_rate, 0.1);
  EXPECT_EQ(c.train.weight_decay, 5e-4);
  EXPECT_EQ(c.train.clip + c.train.auxiliary_weight + c.train.drop_path, 0);
  EXPECT_EQ(c.train.cutout, 0);
  const Configuration quick =
      resolve_configuration({{"file", {{"space", "nb201"}, {"preset", "quick"}}}, {"command line", {}}});
  EXPECT_EQ(quick.train.channels, std::stoi(preset_values("quick").at("train-channels")));
  EXPECT_EQ(quick.train.batch, 256);
  const Configuration other =
      resolve_configuration({{"the genotype", {{"space", "nb201"}}}, {"file", {{"space", "s2"}}}});
  EXPECT_EQ(other.train.epochs, 600);
}

TEST(ConfigurationTest, ARecipeLiesBeneathTheLayerThatNamesItAndOverThoseBefore) {
  // A run's saved configuration has every option; a recipe on the command line wins over it.
  Configuration defaults;
  OptionValues saved;
  for (const NamedValue& value : option_values(defaults)) saved[value.name] = value.value;
  const Configuration c = resolve_configuration(
      {{"run", saved}, {"command line", {{"train-recipe", "imagenet"}, {"train-cells", "9"}}}});
  EXPECT_EQ(c.train.stem, "imagenet");
  EXPECT_EQ(c.train.channels, 48);
  EXPECT_EQ(c.train.cells, 9);
  EXPECT_EQ(c.train.epochs, 250);
  EXPECT_EQ(c.train.batch, 128);
  EXPECT_EQ(c.train.schedule, "exponential");
  EXPECT_EQ(c.train.learning_rate, 0.1);
  EXPECT_EQ(c.train.learning_rate_decay, 0.97);
  EXPECT_EQ(c.train.weight_decay, 3e-5);
  EXPECT_EQ(c.train.momentum, 0.9);
  EXPECT_EQ(c.train.clip, 5);
  EXPECT_EQ(c.train.auxiliary_weight, 0.4);
  EXPECT_EQ(c.train.label_smoothing, 0.1);
  EXPECT_EQ(c.train.drop_path, 0);
  EXPECT_EQ(c.train.cutout, 0);
  EXPECT_EQ(c.train.most_multiply_adds, 600);
  // And the configuration that is saved then says the same again.
  Configuration before = c;
  OptionValues again;
  for (const NamedValue& value : option_values(before)) again[value.name] = value.value;
  Configuration after = resolve_configuration({{"run", again}});
  for (const NamedValue& value : option_values(after))
    EXPECT_EQ(value.value, again[value.name]) << value.name;
}

TEST(ConfigurationTest, TheRecipeForCifarIsTheDefaultsAndRecipesSetTheSameOptions) {
  Configuration defaults, recipe = resolve_configuration({{"command line", {{"train-recipe", "cifar"}}}});
  const auto a = option_values(defaults), b = option_values(recipe);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].value, b[i].value) << a[i].name;
  const std::string imagenet = "imagenet";  // gcc 14 takes the values for a part of a temporary name
  for (const auto& [name, value] : recipe_values(imagenet))
    EXPECT_TRUE(recipe_values("cifar").contains(name)) << name;
  EXPECT_EQ(recipe_values("imagenet").size(), recipe_values("cifar").size());
}

TEST(ConfigurationTest, OptionNamesAreUnique) {
  std::vector<std::string> names = option_names(kAllParts);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

void expect_usage_error(const OptionValues& values, const std::string& says) {
  try {
    resolve_configuration({{"command line", values}});
    ADD_FAILURE() << "no error for " << says;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(ConfigurationTest, BadValuesAreUsageErrorsThatNameTheOption) {
  expect_usage_error({{"epoch", "3"}}, "epoch");
  expect_usage_error({{"epochs", "0"}}, "epochs");
  expect_usage_error({{"epochs", "three"}}, "epochs");
  expect_usage_error({{"train-portion", "1"}}, "train-portion");
  expect_usage_error({{"learning-rate", "-1"}}, "learning-rate");
  expect_usage_error({{"train-drop-path", "1"}}, "train-drop-path");
  expect_usage_error({{"criterion", "beauty"}}, "beauty");
  expect_usage_error({{"sgas-criterion", "3"}}, "sgas-criterion");
  expect_usage_error({{"sgas-decide-every", "0"}}, "sgas-decide-every");
  expect_usage_error({{"sdarts-epsilon", "-0.1"}}, "sdarts-epsilon");
  expect_usage_error({{"converged-epochs", "0"}}, "converged-epochs");
  expect_usage_error({{"converged-epochs", "9"}, {"converged-most", "8"}}, "converged-most");
  expect_usage_error({{"preset", "fast"}}, "fast");
  expect_usage_error({{"train-recipe", "mnist"}}, "mnist");
  expect_usage_error({{"train-stem", "mnist"}}, "mnist");
  expect_usage_error({{"train-label-smoothing", "1.5"}}, "train-label-smoothing");
  expect_usage_error({{"train-learning-rate-decay", "0"}}, "train-learning-rate-decay");
  expect_usage_error({{"train-most-multiply-adds", "-1"}}, "train-most-multiply-adds");
  expect_usage_error({{"image-size", "7"}}, "image-size");
}

TEST(ConfigurationTest, ContradictionsAreUsageErrors) {
  expect_usage_error({{"selection", "magnitude"}, {"method", "fixed-alpha"}}, "fixed-alpha");
  expect_usage_error({{"selection", "magnitude-progressive"}, {"method", "fixed-alpha"}}, "fixed-alpha");
  expect_usage_error({{"selection", "discretization"}, {"method", "sgas"}}, "sgas");
  expect_usage_error({{"selection", "magnitude-progressive"}, {"method", "sgas"}}, "sgas");
  expect_usage_error({{"method", "sgas"}, {"edge-order", "0,1"}}, "edge-order");
  expect_usage_error({{"selection", "random"}, {"edge-order", "0,1"}}, "edge-order");
  expect_usage_error({{"genotype-rule", "weights"}}, "rounds");
  expect_usage_error({{"space", "nb201"}, {"train-auxiliary-weight", "0.4"}}, "auxiliary");
}

}  // namespace
}  // namespace ptnas
