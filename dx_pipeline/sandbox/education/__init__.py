"""The education department's yearly exports of schools, classes, pupils and teachers."""
