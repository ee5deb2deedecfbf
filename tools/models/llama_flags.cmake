# Included by llama.cpp's project(): build time counts more than speed outside of ggml. mtmd (images and audio) is
# linked in but never used here: it is not optimised at all, and as it forbids a unity build it gets a precompiled
# header, which two of its files refuse.
set(CMAKE_C_FLAGS_RELEASE "-O1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O1 -DNDEBUG")
set(mtmd ${CMAKE_CURRENT_SOURCE_DIR}/tools/mtmd)
cmake_language(DEFER CALL set_target_properties mtmd PROPERTIES UNITY_BUILD OFF COMPILE_OPTIONS -O0)
cmake_language(DEFER CALL target_precompile_headers mtmd PRIVATE ${mtmd}/models/models.h)
cmake_language(DEFER CALL set_source_files_properties ${mtmd}/mtmd-helper.cpp ${mtmd}/mtmd-helper-gen.cpp
    TARGET_DIRECTORY mtmd PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
