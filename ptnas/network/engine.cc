#include "ptnas/network/engine.h"

#include "ptnas/core/log.h"

namespace ptnas {

Engine engine_of(const RuntimeOptions& runtime) {
  if (runtime.engine == "plain") return Engine::kPlain;
  if (runtime.device == "cpu") return runtime.engine == "check" ? Engine::kCheck : Engine::kFused;
  log_info("the fused engine computes on the CPU only; on {} the plain engine is used", runtime.device);
  return Engine::kPlain;
}

}  // namespace ptnas
