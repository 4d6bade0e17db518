# One INTERFACE target carries every compiler setting of the project.
add_library(llmbatch_settings INTERFACE)
target_compile_features(llmbatch_settings INTERFACE cxx_std_20)
target_include_directories(llmbatch_settings INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_options(llmbatch_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference -Wswitch-enum
  -Wdouble-promotion -Wformat=2
  # Designated initializers leave members at their defaults on purpose.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees null dereferences, overlaps and, where the library's headers are precompiled, copies
  # beyond the end in inlined library code where there are none. The sanitizers look for real ones.
  target_compile_options(llmbatch_settings INTERFACE
    -Wno-null-dereference -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(LLMBATCH_WERROR)
  target_compile_options(llmbatch_settings INTERFACE -Werror)
endif()
if(LLMBATCH_SANITIZE)
  target_compile_options(llmbatch_settings INTERFACE
    -fsanitize=${LLMBATCH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(llmbatch_settings INTERFACE -fsanitize=${LLMBATCH_SANITIZE})
endif()
if(LLMBATCH_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # clang 14 looks at a vtable through a pipe: where a test has used up the descriptors, it takes
  # every object for a broken one.
  target_compile_options(llmbatch_settings INTERFACE -fno-sanitize=vptr)
endif()
if(LLMBATCH_FUZZ)
  target_compile_options(llmbatch_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
