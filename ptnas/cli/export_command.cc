// ptnas export: a trained network as a file that other programs run.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/data/sources.h"
#include "ptnas/job/export_job.h"

namespace ptnas {

namespace {

Json to_json(const ExportReport& report, const ExportRequest& request) {
  Json json;
  json["file"] = valid_utf8(report.file.string());
  json["format"] = request.format;
  if (request.format == "onnx") json["opset"] = kOnnxOpset;
  json["bytes"] = report.bytes;
  json["input"] = request.normalise ? "pixels" : "normalised";
  json["runtime"] = report.runtime;
  json["images"] = report.images;
  json["largest_difference"] = report.compared ? Json(report.difference.largest) : Json();
  json["largest_logit"] = report.difference.magnitude;
  json["tolerance"] = request.tolerance;
  return json;
}

void print_export(const ExportReport& report, const ExportRequest& request) {
  const std::string opset = request.format == "onnx" ? fmt::format(", opset {}", kOnnxOpset) : "";
  std::printf("exported: %s (%s%s, %.1f kB)\n", report.file.c_str(), request.format.c_str(), opset.c_str(),
              static_cast<double>(report.bytes) / 1000);
  std::printf("input: %s\n", request.normalise ? "pixel / 255, normalised by the file"
                                               : "normalised by the data set's mean and deviation");
  if (report.compared) {
    std::printf(
        "largest difference of the logits: %.3g on %lld validation images, read by %s (largest logit %.3g, "
        "tolerance %.3g of it)\n",
        report.difference.largest, static_cast<long long>(report.images), report.runtime.c_str(),
        report.difference.magnitude, request.tolerance);
  } else {
    std::printf(
        "not compared: the network has noise, which is drawn anew each time; its results by %s are finite\n",
        report.runtime.c_str());
  }
}

}  // namespace

void add_export_command(CommandBuilder& builder) {
  auto flags = std::make_shared<Flags>();
  auto path = std::make_shared<std::string>();
  auto request = std::make_shared<ExportRequest>();
  auto output = std::make_shared<std::string>();
  CLI::App& command =
      builder.add(builder.root(), "export",
                  "Write a run's trained network as ONNX or TorchScript, read back and compared", [=] {
                    export_format(request->format);
                    request->output = *output;
                    const RunDirectory run = RunDirectory::open_for_reading(*path);
                    const Configuration configuration = configuration_of(*path, *flags);
                    configure_threads(configuration.runtime);
                    const std::unique_ptr<Dataset> dataset = open_dataset(configuration.data);
                    const ExportReport report = export_run(run, *dataset, configuration, *request);
                    if (flags->json) {
                      std::printf("%s\n", to_json(report, *request).dump(2).c_str());
                    } else {
                      print_export(report, *request);
                    }
                  });
  command.add_option("run", *path, "run directory with a trained network")->required();
  command.add_option("--format", request->format, "onnx or torchscript")->capture_default_str();
  command.add_option("--output", *output, "file to write; default: model.onnx or model.pt in the run");
  command.add_flag("--best", request->best,
                   "the epoch that was best on the held-out portion, not the last one");
  command.add_flag("!--no-normalise", request->normalise,
                   "the file expects images that are normalised already, not pixel / 255");
  command.add_option("--images", request->images, "validation images to compare on")->capture_default_str();
  command
      .add_option("--tolerance", request->tolerance,
                  "fail where logits differ by more than X times the largest one (or 1)")
      ->type_name("X")
      ->capture_default_str();
  command.add_flag("--json", flags->json, "print JSON");
  add_option_flags(command, *flags, kDataPart | kRuntimePart);
}

}  // namespace ptnas
