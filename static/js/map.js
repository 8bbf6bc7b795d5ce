// Draws every <div data-map="ID" data-outlines="URL">: ID is a <script type="application/json"> with the points:
//   {"points": [{"latitude": 52.5, "longitude": 13.4, "label": "Excavator 320", "note": "4 Nov 2026", "url": "/…"}]}
// There is no network, hence no tiles: the countries' outlines are drawn from a file of this node.
(function () {
  'use strict';

  function style(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  function outlines(map, url) {
    return fetch(url).then(function (answer) { return answer.json(); }).then(function (world) {
      var countries = window.topojson.feature(world, world.objects.countries);
      window.L.geoJSON(countries, {
        interactive: false,
        style: {
          color: style('--map-border', '#9aa7b3'), weight: 1,
          fillColor: style('--map-land', '#eef1ea'), fillOpacity: 1
        }
      }).addTo(map).bringToBack();
    });
  }

  function popup(point) {
    var box = document.createElement('div');
    var title = document.createElement(point.url ? 'a' : 'strong');
    title.textContent = point.label;
    if (point.url) { title.href = point.url; }
    box.appendChild(title);
    if (point.note) {
      box.appendChild(document.createElement('br'));
      box.appendChild(document.createTextNode(point.note));
    }
    return box;
  }

  function draw(place) {
    var source = document.getElementById(place.getAttribute('data-map'));
    if (!source || typeof window.L === 'undefined' || place.getAttribute('data-drawn')) { return; }
    place.setAttribute('data-drawn', 'yes');
    var points = JSON.parse(source.textContent).points;
    var map = window.L.map(place, {
      preferCanvas: true, attributionControl: false, minZoom: 2, maxZoom: 12, scrollWheelZoom: false, worldCopyJump: true
    });
    var bounds = [];
    points.forEach(function (point) {
      var position = [point.latitude, point.longitude];
      bounds.push(position);
      window.L.circleMarker(position, {
        radius: 6, weight: 2, color: '#ffffff', fillColor: style('--chart-4', '#a23b3b'), fillOpacity: 0.95
      }).bindPopup(function () { return popup(point); }).bindTooltip(point.label).addTo(map);
    });
    if (bounds.length) {
      map.fitBounds(bounds, { maxZoom: 6, padding: [30, 30] });
    } else {
      map.setView([30, 0], 2);
    }
    window.L.control.scale({ imperial: false }).addTo(map);
    outlines(map, place.getAttribute('data-outlines')).catch(function () {
      place.setAttribute('data-outlines-missing', 'yes');
    });
  }

  function drawAll(root) {
    Array.prototype.forEach.call(root.querySelectorAll('[data-map]'), draw);
  }

  document.addEventListener('DOMContentLoaded', function () { drawAll(document); });
  document.addEventListener('htmx:load', function (event) { drawAll(event.target); });
}());
