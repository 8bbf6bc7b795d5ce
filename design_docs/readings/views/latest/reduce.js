// The newest of the readings; of several at one time the one with the most hours, so that the order does not matter.
function (keys, values, rereduce) {
  var newest = values[0];
  for (var i = 1; i < values.length; i++) {
    var value = values[i];
    if (value.at > newest.at || (value.at === newest.at && value.hours > newest.hours)) { newest = value; }
  }
  return newest;
}
