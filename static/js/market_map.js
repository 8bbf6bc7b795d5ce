// Draws every <div data-market-map="JSON" data-places="URL" data-outlines="URL">: numbers of machines where they are.
// The first numbers come with the page; when the map is moved or zoomed, those of its window are asked for at URL.
(function () {
  'use strict';

  function colour(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  function size(count) {
    return Math.round(Math.min(60, 24 + 11 * Math.log10(count)));
  }

  // Where a circle is drawn: in the middle of its machines, but not beyond the edge of the square they are counted in, so
  // that no circle covers another.
  function place(map, point, side) {
    var zoom = map.getZoom(), world = 256 * Math.pow(2, zoom), width = world / Math.pow(2, point.square.length);
    var x = 0, y = 0;
    for (var n = 0; n < point.square.length; n++) {
      var digit = Number(point.square.charAt(n)), half = world / Math.pow(2, n + 1);
      x += (digit % 2) * half;
      y += (digit > 1 ? 1 : 0) * half;
    }
    var middle = map.project([point.latitude, point.longitude], zoom), room = Math.min(side, width) / 2;
    return map.unproject([
      Math.min(Math.max(middle.x, x + room), x + width - room), Math.min(Math.max(middle.y, y + room), y + width - room)
    ], zoom);
  }

  function marker(map, point) {
    var side = size(point.count);
    var icon = window.L.divIcon({
      className: 'map-count' + (side > 40 ? ' map-count-large' : ''), html: '', iconSize: [side, side]
    });
    var drawn = window.L.marker(place(map, point, side), { icon: icon, title: point.title, keyboard: true });
    drawn.on('add', function () { drawn.getElement().textContent = point.label; });
    return drawn;
  }

  function popup(map, point, mark) {
    var box = document.createElement('div');
    var words = document.createElement('strong');
    words.textContent = point.title;
    box.appendChild(words);
    var choices = document.createElement('div');
    choices.className = 'map-choices';
    var list = document.createElement('a');
    list.href = point.url;
    list.textContent = 'Show which';
    choices.appendChild(list);
    if (map.getZoom() < map.getMaxZoom()) {
      var closer = document.createElement('button');
      closer.type = 'button';
      closer.textContent = 'Look closer';
      closer.addEventListener('click', function () {
        mark.closePopup();
        map.setView([point.latitude, point.longitude], Math.min(map.getZoom() + 2, map.getMaxZoom()));
      });
      choices.appendChild(closer);
    }
    box.appendChild(choices);
    return box;
  }

  function show(map, layer, points) {
    layer.clearLayers();
    points.forEach(function (point) {
      var mark = marker(map, point);
      mark.bindPopup(function () { return popup(map, point, mark); });
      layer.addLayer(mark);
    });
  }

  function ask(map, layer, place) {
    var bounds = map.getBounds();
    var url = new URL(place.getAttribute('data-places'), window.location.href);
    url.searchParams.set('south', bounds.getSouth().toFixed(4));
    url.searchParams.set('north', bounds.getNorth().toFixed(4));
    url.searchParams.set('west', bounds.getWest().toFixed(4));
    url.searchParams.set('east', bounds.getEast().toFixed(4));
    url.searchParams.set('zoom', map.getZoom());
    var asked = String(Date.now() + Math.random());
    place.setAttribute('data-asked', asked);
    fetch(url, { credentials: 'same-origin', headers: { 'HX-Request': 'true' } }).then(function (answer) {
      if (!answer.ok) { throw new Error('no places'); }
      return answer.json();
    }).then(function (points) {
      if (place.getAttribute('data-asked') === asked) { show(map, layer, points); }
    }).catch(function () { /* The numbers drawn last stay; the next move asks again. */ });
  }

  function draw(place) {
    if (typeof window.L === 'undefined' || place.getAttribute('data-drawn')) { return; }
    place.setAttribute('data-drawn', 'yes');
    var points = JSON.parse(place.getAttribute('data-market-map'));
    var map = window.L.map(place, {
      preferCanvas: true, attributionControl: false, minZoom: 2, maxZoom: 12, scrollWheelZoom: false, worldCopyJump: true
    });
    var layer = window.L.layerGroup().addTo(map);
    if (points.length) {
      map.fitBounds(points.map(function (point) { return [point.latitude, point.longitude]; }), { maxZoom: 6, padding: [30, 30] });
    } else {
      map.setView([30, 0], 2);
    }
    show(map, layer, points);
    window.L.control.scale({ imperial: false }).addTo(map);
    window.ironbookOutlines(map, place.getAttribute('data-outlines'))
      .catch(function () { /* Without outlines the numbers still are where they are. */ });
    if (points.length) { ask(map, layer, place); }
    // A map moves to make room for what is being read: it must not be taken away by that.
    var reading = false;
    map.on('popupopen', function () { reading = true; });
    map.on('popupclose', function () { reading = false; ask(map, layer, place); });
    map.on('zoomstart', function () { map.closePopup(); });
    map.on('moveend', function () { if (!reading) { ask(map, layer, place); } });
  }

  function drawAll(root) {
    Array.prototype.forEach.call(root.querySelectorAll('[data-market-map]'), draw);
  }

  document.addEventListener('DOMContentLoaded', function () { drawAll(document); });
  document.addEventListener('htmx:load', function (event) { drawAll(event.target); });
}());
