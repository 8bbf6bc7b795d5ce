// Draws every <canvas data-chart="JSON">, as the macro ui.chart writes it (templates/components/graphics.html):
//   {"type": "line", "unit": "h", "series": [{"label": "Hours", "points": [["2026-11-25", 4312.5], …], "dashed": true}]}
//   {"type": "line" | "bar" | "bar-horizontal" | "stacked", "labels": […], "unit": "",
//    "series": [{"label": "…", "values": […], "urls": […]}]}
// A click on a bar opens its address.
(function () {
  'use strict';

  var DAY = 86400000;
  var MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

  function style(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  function palette() {
    return [
      style('--chart-1', '#1f5f8b'), style('--chart-2', '#d98e04'), style('--chart-3', '#4b8b3b'),
      style('--chart-4', '#a23b3b'), style('--chart-5', '#6b5b95'), style('--chart-6', '#4a5560')
    ];
  }

  function number(value) {
    return Number(value).toLocaleString('en-GB', { maximumFractionDigits: 1 });
  }

  function dayWords(moment) {
    var day = new Date(moment);
    return day.getUTCDate() + ' ' + MONTHS[day.getUTCMonth()] + ' ' + day.getUTCFullYear();
  }

  function monthWords(moment) {
    var day = new Date(moment);
    return MONTHS[day.getUTCMonth()] + ' ' + day.getUTCFullYear();
  }

  function withUnit(value, unit) {
    return number(value) + (unit ? '\u00a0' + unit : '');
  }

  function common(spec) {
    var ink = style('--ink-2', '#4c5866');
    var line = style('--line-colour', '#dcdfe4');
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'nearest', intersect: false },
      plugins: {
        legend: { display: spec.series.length > 1, position: 'bottom', labels: { color: ink, boxWidth: 12 } },
        tooltip: { callbacks: {
          label: function (item) {
            var value = spec.type === 'bar-horizontal' ? item.parsed.x : item.parsed.y;
            return (item.dataset.label ? item.dataset.label + ': ' : '') + withUnit(value, spec.unit);
          }
        } }
      },
      scales: {
        x: { grid: { color: line, drawOnChartArea: false }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 16 } },
        y: { grid: { color: line }, ticks: { color: ink } }
      }
    };
  }

  function timeChart(spec) {
    var colours = palette();
    var options = common(spec);
    options.plugins.tooltip.callbacks.title = function (items) {
      return items.length ? dayWords(items[0].parsed.x) : '';
    };
    options.scales.x.type = 'linear';
    options.scales.x.bounds = 'data';
    options.plugins.legend.labels = { color: style('--ink-2', '#4c5866'), usePointStyle: true, pointStyle: 'line', pointStyleWidth: 28 };
    options.scales.x.ticks.callback = function (value) {
      var span = this.max - this.min;
      return span > 90 * DAY ? monthWords(value) : dayWords(value);
    };
    options.scales.y.ticks.callback = function (value) { return withUnit(value, spec.unit); };
    return {
      type: 'line',
      data: {
        datasets: spec.series.map(function (series, at) {
          var colour = colours[at % colours.length];
          return {
            label: series.label,
            data: series.points.map(function (point) { return { x: Date.parse(point[0]), y: point[1] }; }),
            borderColor: colour,
            backgroundColor: colour,
            borderWidth: 2,
            borderDash: series.dashed ? [6, 5] : [],
            pointRadius: series.points.length > 60 || series.dashed ? 0 : 3,
            tension: 0
          };
        })
      },
      options: options
    };
  }

  function address(spec, hit) {
    var urls = spec.series[hit.datasetIndex].urls;
    return urls ? urls[hit.index] : '';
  }

  function overTime(spec) {
    return spec.series.some(function (series) { return series.points; });
  }

  function labelledChart(spec) {
    var colours = palette();
    var options = common(spec);
    var values = spec.type === 'bar-horizontal' ? options.scales.x : options.scales.y;
    values.beginAtZero = true;
    values.ticks.callback = function (value) { return withUnit(value, spec.unit); };
    if (spec.type === 'bar-horizontal') {
      options.indexAxis = 'y';
      options.scales.x.grid.drawOnChartArea = true;
      options.scales.y.grid.drawOnChartArea = false;
    }
    if (spec.type === 'stacked') {
      options.scales.x.stacked = true;
      options.scales.y.stacked = true;
    }
    options.onClick = function (event, hits) {
      var url = hits.length && address(spec, hits[0]);
      if (url) { window.location.assign(url); }
    };
    options.onHover = function (event, hits) {
      event.native.target.style.cursor = hits.length && address(spec, hits[0]) ? 'pointer' : 'default';
    };
    return {
      type: spec.type === 'line' ? 'line' : 'bar',
      data: {
        labels: spec.labels,
        datasets: spec.series.map(function (series, at) {
          var colour = colours[at % colours.length];
          return {
            label: series.label, data: series.values, borderColor: colour, backgroundColor: colour,
            borderWidth: spec.type === 'line' ? 2 : 0, maxBarThickness: 36
          };
        })
      },
      options: options
    };
  }

  function draw(canvas) {
    if (typeof window.Chart === 'undefined' || window.Chart.getChart(canvas)) { return; }
    var spec = JSON.parse(canvas.getAttribute('data-chart'));
    window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    new window.Chart(canvas, overTime(spec) ? timeChart(spec) : labelledChart(spec));
  }

  function drawAll(root) {
    Array.prototype.forEach.call(root.querySelectorAll('canvas[data-chart]'), draw);
  }

  document.addEventListener('DOMContentLoaded', function () { drawAll(document); });
  document.addEventListener('htmx:load', function (event) { drawAll(event.target); });
}());
