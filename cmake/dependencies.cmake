# Everything that ptnas takes from the system; scripts/dependencies installs it on Debian.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(GVC REQUIRED IMPORTED_TARGET libgvc)
pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(MATIO REQUIRED IMPORTED_TARGET matio)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
find_package(benchmark REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_library(SPNG_LIBRARY spng REQUIRED)
find_path(SPNG_INCLUDE_DIR spng.h REQUIRED)
find_package(Torch REQUIRED)
if(PTNAS_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()

find_file(PTNAS_CHART_JS NAMES chart.min.js Chart.min.js chart.umd.js
  PATHS /usr/share/javascript/chart.js REQUIRED NO_DEFAULT_PATH)

# libtorch as one target whose headers raise no warnings of ours.
add_library(ptnas_torch INTERFACE)
target_include_directories(ptnas_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(ptnas_torch INTERFACE ${TORCH_LIBRARIES} Threads::Threads)

add_library(ptnas_spng INTERFACE)
target_include_directories(ptnas_spng SYSTEM INTERFACE ${SPNG_INCLUDE_DIR})
target_link_libraries(ptnas_spng INTERFACE ${SPNG_LIBRARY})
