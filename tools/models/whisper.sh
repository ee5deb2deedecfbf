# whisper.cpp 1.8.5 (MIT) as static libraries; the Python binding's source package carries its whole tree.
if ! artifact whisper.cpp "$(key whisper.sh "$(locked pywhispercpp 5)" "$(machine)")"; then
    fetch pywhispercpp
    mkdir "$PART/source" "$PART/include" "$PART/lib"
    tar -xzf "$FILE" -C "$PART/source" --strip-components=2 --wildcards '*/whisper.cpp/*'
    logged cmake -S "$PART/source" -B "$PART/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF \
        -DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_EXAMPLES=OFF -DWHISPER_BUILD_SERVER=OFF
    build_with_progress whisper.cpp "$PART/build" whisper
    find "$PART/build" -name 'lib*.a' -exec cp {} "$PART/lib" ';'
    cp "$PART"/source/include/*.h "$PART"/source/ggml/include/*.h "$PART/include"
    cp "$PART/source/LICENSE" "$PART"
    rm -rf "$PART/source" "$PART/build"
    finish
fi
WHISPER=$DIR
publish RLX_WHISPER_DIR "$DIR"
