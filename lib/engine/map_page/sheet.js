// A sheet of canvas over the whole map: it stays in place while the map is dragged, and is stretched while it zooms.
/* global L */

export const Sheet = L.Layer.extend({
  // paint(context, view) draws; view has what painters need to know of the map.
  initialize(paint, pane) {
    this._paint = paint;
    this._pane = pane;
  },

  onAdd(map) {
    this._canvas = L.DomUtil.create('canvas', 'sheet leaflet-zoom-animated', map.getPane(this._pane));
    this._canvas.setAttribute('aria-hidden', 'true');
    this._zooming = false;
    map.on('zoomanim', this._stretch, this);
    map.on('zoomstart', this._zoomStart, this);
    map.on('zoomend viewreset resize', this._zoomEnd, this);
    this.paint();
  },

  onRemove(map) {
    map.off('zoomanim', this._stretch, this);
    map.off('zoomstart', this._zoomStart, this);
    map.off('zoomend viewreset resize', this._zoomEnd, this);
    this._canvas.remove();
  },

  _zoomStart() {
    this._zooming = true;
  },

  _zoomEnd() {
    this._zooming = false;
    this.paint();
  },

  _stretch(e) {
    const map = this._map;
    const scale = map.getZoomScale(e.zoom);
    const offset = map._latLngBoundsToNewLayerBounds(map.getBounds(), e.zoom, e.center).min;
    L.DomUtil.setTransform(this._canvas, offset, scale);
  },

  paint() {
    const map = this._map;
    if (!map || this._zooming) return;
    const size = map.getSize(), ratio = window.devicePixelRatio || 1;
    const width = Math.round(size.x * ratio), height = Math.round(size.y * ratio), canvas = this._canvas;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
    }
    L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.x, size.y);
    const world = 256 * 2 ** map.getZoom(), corner = map.getPixelBounds().min;
    // a place in Mercator coordinates is at (x * world - left, y * world - top)
    this._paint(context, { width: size.x, height: size.y, world, left: corner.x, top: corner.y, zoom: map.getZoom() });
  },
});
