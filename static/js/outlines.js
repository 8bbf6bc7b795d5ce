// Draws the countries' outlines, from a file of this node, on a Leaflet map: ironbookOutlines(map, url) -> Promise.
(function () {
  'use strict';

  function style(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  // The file is meant for globes: where Russia, Fiji and Antarctica cross 180°, a ring jumps from one edge of a flat map to
  // the other and would draw a line over all of it. So a ring goes on beyond the edge instead.
  function unrolled(ring) {
    var offset = 0;
    return ring.map(function (point, at) {
      var before = at ? ring[at - 1][0] : point[0];
      if (point[0] - before > 180) { offset -= 360; } else if (before - point[0] > 180) { offset += 360; }
      return [point[0] + offset, point[1]];
    });
  }

  // What was unrolled over one edge is missing at the other, where the same ring is drawn a second time.
  function onBothEdges(polygon) {
    var flat = polygon.map(unrolled);
    var east = flat[0].map(function (point) { return point[0]; });
    var shift = Math.max.apply(null, east) > 180 ? -360 : Math.min.apply(null, east) < -180 ? 360 : 0;
    if (!shift) { return [flat]; }
    return [flat, flat.map(function (ring) {
      return ring.map(function (point) { return [point[0] + shift, point[1]]; });
    })];
  }

  function flattened(country) {
    var shape = country.geometry;
    var polygons = !shape ? [] : shape.type === 'Polygon' ? [shape.coordinates] : shape.coordinates;
    return {
      type: 'Feature', properties: {},
      geometry: { type: 'MultiPolygon', coordinates: [].concat.apply([], polygons.map(onBothEdges)) }
    };
  }

  window.ironbookOutlines = function (map, url) {
    return fetch(url).then(function (answer) { return answer.json(); }).then(function (world) {
      var countries = window.topojson.feature(world, world.objects.countries).features.map(flattened);
      window.L.geoJSON(countries, {
        interactive: false,
        style: {
          color: style('--map-line', '#b9c0bc'), weight: 1,
          fillColor: style('--map-land', '#e3e6e1'), fillOpacity: 1
        }
      }).addTo(map).bringToBack();
    });
  };
}());
