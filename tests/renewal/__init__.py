"""Single flight: one caller renews, the others wait for its outcome; across threads, tasks and forks."""
