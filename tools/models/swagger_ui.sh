# Swagger UI (Apache-2.0) out of a package that carries it for other programs: the viewer at the API's /docs.
if ! artifact swagger-ui "$(key swagger_ui.sh "$(locked drf-spectacular-sidecar 5)")"; then
    fetch drf-spectacular-sidecar
    folder=drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist
    unzip_from "$FILE" "$PART" $folder/{LICENSE,swagger-ui-bundle.js,swagger-ui.css}
    mv "$PART/$folder"/* "$PART"
    rm -r "$PART/drf_spectacular_sidecar"
    finish
fi
