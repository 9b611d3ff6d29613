"use strict";

// The viewer shows our document and asks nobody else: no validator, no examples of its own.
window.SwaggerUIBundle({
  url: "/docs/openapi.yaml",
  dom_id: "#viewer",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  showExtensions: true,
  tryItOutEnabled: false,
  validatorUrl: null,
});
