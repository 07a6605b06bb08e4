"""An HTTP server that reads pictures: the API, its limits, the corrections it keeps, the page to draw on."""
