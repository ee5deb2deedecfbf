/* Every setting: X(ID, environment name, kind, default, help). Kinds: TEXT, SECRET, INT, BOOL, PORT, URL, ENUM:… */
#ifndef RLX_BASE_CONFIG_TABLE_H
#define RLX_BASE_CONFIG_TABLE_H

/* clang-format off */
#define RLX_CONFIG_TABLE(X)                                                                                          \
    X(DATA, "RELAYX_DATA", TEXT, "data", "directory for the database, recordings and keys")                          \
    X(HOST, "RELAYX_HOST", TEXT, "127.0.0.1", "address that API and gateway listen on")                              \
    X(API_PORT, "RELAYX_API_PORT", PORT, "8000", "port of the API and the dashboard")                                \
    X(GATEWAY_PORT, "RELAYX_GATEWAY_PORT", PORT, "8001", "port of the gateway")                                      \
    X(PHONE_PORT, "RELAYX_PHONE_PORT", PORT, "8002", "port of the phone simulator")                                  \
    X(SPEECH_PORT, "RELAYX_SPEECH_PORT", PORT, "8003", "port of the local speech server")                            \
    X(LLM_PORT, "RELAYX_LLM_PORT", PORT, "8004", "port of the local language model")                                 \
    X(EMBED_PORT, "RELAYX_EMBED_PORT", PORT, "8005", "port of the local embedding model")                            \
    X(LOCAL, "RELAYX_LOCAL", BOOL, "true", "run and use the local speech and language models (--no-local: don't)")   \
    X(LOCAL_SPEECH_URL, "RELAYX_LOCAL_SPEECH_URL", URL, "", "local speech server; default: the one that serve starts")\
    X(LOCAL_LLM_URL, "RELAYX_LOCAL_LLM_URL", URL, "", "local language model; default: the one that serve starts")    \
    X(LOCAL_EMBED_URL, "RELAYX_LOCAL_EMBED_URL", URL, "", "local embeddings; default: the one that serve starts")    \
    X(MODELS, "RELAYX_MODELS", TEXT, "", "directory with the local models; default: models.env beside the program")  \
    X(SIMULATOR, "RELAYX_SIMULATOR", BOOL, "", "run the phone simulator; default: when no Twilio account is set")    \
    X(LOG_LEVEL, "RELAYX_LOG_LEVEL", TEXT, "info", "debug, info, warn or error")                                     \
    X(LOG_JSON, "RELAYX_LOG_JSON", BOOL, "false", "log lines as JSON")                                               \
    X(CONTROL_BIND, "GATEWAY_CONTROL_BIND", TEXT, "127.0.0.1", "address of the gateway's control port")              \
    X(CONTROL_URL, "GATEWAY_CONTROL_URL", URL, "", "how other processes reach this gateway's control port")          \
    X(DATABASE_URL, "DATABASE_URL", URL, "", "sqlite:PATH or postgresql://…; default: sqlite in the data directory") \
    X(RECORDINGS_URL, "RECORDINGS_URL", URL, "", "file:DIR or s3://bucket/prefix?region=R&endpoint=https://HOST; default: recordings/ in the data directory") \
    X(AWS_ACCESS_KEY_ID, "AWS_ACCESS_KEY_ID", TEXT, "", "key of the S3 store that RECORDINGS_URL names")             \
    X(AWS_SECRET_ACCESS_KEY, "AWS_SECRET_ACCESS_KEY", SECRET, "", "its secret")                                      \
    X(JWT_SECRET_KEY, "JWT_SECRET_KEY", SECRET, "", "signs tokens, at least 32 bytes; default: made once and kept")  \
    X(SECRETS_KEY, "SECRETS_KEY", SECRET, "", "encrypts keys that users store")                                      \
    X(PRICES, "RELAYX_PRICES", TEXT, "", "prices of providers for /api-credits (JSON); default: built in")           \
    X(SIGNUP, "SIGNUP", TEXT, "open", "open, invite or closed")                                                      \
    X(RATE_LIMITS, "RATE_LIMITS", TEXT, "", "requests a minute: read=1200,write=300,auth=60,heavy=60,address=6000")  \
    X(CORS_ORIGINS, "CORS_ORIGINS", TEXT, "", "origins that may use the API from a browser, https://a.example,…")    \
    X(TRUSTED_PROXIES, "TRUSTED_PROXIES", TEXT, "", "addresses of proxies whose X-Forwarded-For names the client")   \
    X(METRICS_TOKEN, "METRICS_TOKEN", SECRET, "", "bearer token for /metrics; without it only this machine reads it") \
    X(OUTBOUND_ALLOW, "OUTBOUND_ALLOW", TEXT, "", "host:port,… that webhooks and tools may reach although private")  \
    X(VOICE_GATEWAY_URL, "VOICE_GATEWAY_URL", URL, "", "the gateway's public base URL, as the carrier reaches it")   \
    X(TWILIO_ACCOUNT_SID, "TWILIO_ACCOUNT_SID", TEXT, "", "Twilio account")                                          \
    X(TWILIO_AUTH_TOKEN, "TWILIO_AUTH_TOKEN", SECRET, "", "Twilio auth token; also checks webhook signatures")       \
    X(TWILIO_PHONE_NUMBER, "TWILIO_PHONE_NUMBER", TEXT, "", "caller ID, E.164")                                      \
    X(TWILIO_API_URL, "TWILIO_API_URL", URL, "https://api.twilio.com", "Twilio REST API or a compatible one")        \
    X(GROQ_API_KEY, "GROQ_API_KEY", SECRET, "", "Groq key")                                                          \
    X(GROQ_BASE_URL, "GROQ_BASE_URL", URL, "https://api.groq.com/openai/v1", "Groq or a compatible server")          \
    X(OPENAI_API_KEY, "OPENAI_API_KEY", SECRET, "", "OpenAI key")                                                    \
    X(OPENAI_BASE_URL, "OPENAI_BASE_URL", URL, "https://api.openai.com/v1", "OpenAI or any compatible server")       \
    X(OPENAI_STT_MODEL, "OPENAI_STT_MODEL", TEXT, "whisper-1", "model of the openai speech-to-text provider")        \
    X(OPENAI_LLM_MODEL, "OPENAI_LLM_MODEL", TEXT, "gpt-4o-mini", "model of the openai language provider")            \
    X(OPENAI_TTS_MODEL, "OPENAI_TTS_MODEL", TEXT, "gpt-4o-mini-tts", "model of the openai text-to-speech provider")  \
    X(OPENAI_TTS_VOICE, "OPENAI_TTS_VOICE", TEXT, "alloy", "voice of the openai text-to-speech provider")            \
    X(OPENAI_EMBED_MODEL, "OPENAI_EMBED_MODEL", TEXT, "text-embedding-3-small", "model of openai embeddings")        \
    X(GROQ_STT_MODEL, "GROQ_STT_MODEL", TEXT, "whisper-large-v3-turbo", "model of the groq speech-to-text provider") \
    X(GROQ_LLM_MODEL, "GROQ_LLM_MODEL", TEXT, "openai/gpt-oss-20b", "model of the groq language provider")           \
    X(STT_PROVIDERS, "STT_PROVIDERS", TEXT, "", "ordered: openai, groq, local; default: what the keys allow")        \
    X(LLM_PROVIDERS, "LLM_PROVIDERS", TEXT, "", "ordered: openai, groq, local; default: what the keys allow")        \
    X(TTS_PROVIDERS, "TTS_PROVIDERS", TEXT, "", "ordered: openai, local; default: what the keys allow")              \
    X(EMBED_PROVIDERS, "EMBED_PROVIDERS", TEXT, "", "ordered: local, openai, or none; default: local when it runs")  \
    X(SUPABASE_URL, "SUPABASE_URL", URL, "", "only to explain: set DATABASE_URL to Supabase's connection string")    \
    X(SUPABASE_ANON_KEY, "SUPABASE_ANON_KEY", SECRET, "", "not needed; DATABASE_URL is")                             \
    X(CAL_API_KEY, "CAL_API_KEY", SECRET, "", "Cal.com key")                                                         \
    X(CAL_API_URL, "CAL_API_URL", URL, "https://api.cal.com", "Cal.com API v2")                                      \
    X(DEEPGRAM_API_KEY, "DEEPGRAM_API_KEY", SECRET, "", "Deepgram key")                                              \
    X(DEEPGRAM_URL, "DEEPGRAM_URL", URL, "https://api.deepgram.com", "Deepgram")                                     \
    X(ASSEMBLYAI_API_KEY, "ASSEMBLYAI_API_KEY", SECRET, "", "AssemblyAI key")                                        \
    X(ASSEMBLYAI_URL, "ASSEMBLYAI_URL", URL, "https://streaming.assemblyai.com", "AssemblyAI")                       \
    X(FISH_AUDIO_API_KEY, "FISH_AUDIO_API_KEY", SECRET, "", "Fish Audio key")                                        \
    X(FISH_AUDIO_URL, "FISH_AUDIO_URL", URL, "https://api.fish.audio", "Fish Audio")
/* clang-format on */

#endif
