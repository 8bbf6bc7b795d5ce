// Draws every <div data-map="JSON" data-outlines="URL">, as the macro ui.map writes it: JSON is
//   [{"latitude": 52.5, "longitude": 13.4, "title": "Excavator 320", "note": "4 Nov 2026", "url": "/…", "tone": "bad"}, …]
// There is no network, hence no tiles: the countries' outlines are drawn from a file of this node.
(function () {
  'use strict';

  function style(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  function colour(tone) {
    if (tone === 'good') { return style('--good', '#4b8b3b'); }
    if (tone === 'warning') { return style('--warning', '#d98e04'); }
    if (tone === 'bad') { return style('--bad', '#a23b3b'); }
    return style('--accent', '#1f5f8b');
  }

  function popup(point) {
    var box = document.createElement('div');
    var title = document.createElement(point.url ? 'a' : 'strong');
    title.textContent = point.title;
    if (point.url) { title.href = point.url; }
    box.appendChild(title);
    if (point.note) {
      box.appendChild(document.createElement('br'));
      box.appendChild(document.createTextNode(point.note));
    }
    return box;
  }

  function draw(place) {
    if (typeof window.L === 'undefined' || place.getAttribute('data-drawn')) { return; }
    place.setAttribute('data-drawn', 'yes');
    var points = JSON.parse(place.getAttribute('data-map'));
    var map = window.L.map(place, {
      preferCanvas: true, attributionControl: false, minZoom: 2, maxZoom: 12, scrollWheelZoom: false, worldCopyJump: true
    });
    var bounds = [];
    points.forEach(function (point) {
      var position = [point.latitude, point.longitude];
      bounds.push(position);
      window.L.circleMarker(position, {
        radius: 6, weight: 2, color: '#ffffff', fillColor: colour(point.tone), fillOpacity: 0.95
      }).bindPopup(function () { return popup(point); }).bindTooltip(point.title).addTo(map);
    });
    if (bounds.length) {
      map.fitBounds(bounds, { maxZoom: 6, padding: [30, 30] });
    } else {
      map.setView([30, 0], 2);
    }
    window.L.control.scale({ imperial: false }).addTo(map);
    window.ironbookOutlines(map, place.getAttribute('data-outlines')).catch(function () {
      place.setAttribute('data-outlines-missing', 'yes');
    });
  }

  function drawAll(root) {
    Array.prototype.forEach.call(root.querySelectorAll('[data-map]'), draw);
  }

  document.addEventListener('DOMContentLoaded', function () { drawAll(document); });
  document.addEventListener('htmx:load', function (event) { drawAll(event.target); });
}());
