"use strict";
window.ui = SwaggerUIBundle({
  url: "docs.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // never asks a third party
  presets: [SwaggerUIBundle.presets.apis],
});
