# sherpa-onnx (Apache-2.0) and ONNX Runtime (MIT): shared libraries and the C header, as packaged.
if ! artifact sherpa-onnx "$(key sherpa.sh "$(locked sherpa-onnx-core 5)")"; then
    fetch sherpa-onnx-core
    unzip_from "$FILE" "$PART" sherpa_onnx/include/sherpa-onnx/c-api/c-api.h \
        sherpa_onnx/lib/libsherpa-onnx-c-api.so sherpa_onnx/lib/libonnxruntime.so
    mv "$PART"/sherpa_onnx/{include,lib} "$PART"
    rmdir "$PART/sherpa_onnx"
    finish
fi
publish RLX_SHERPA_DIR "$DIR"
