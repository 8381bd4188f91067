"""How the pages write dates and times: sortable, and saying whose clock it is."""

DATE_FORMAT = "Y-m-d"
# With the abbreviation of the zone that the time is shown in, such as UTC or CET.
DATETIME_FORMAT = "Y-m-d H:i:s T"
TIME_FORMAT = "H:i"
