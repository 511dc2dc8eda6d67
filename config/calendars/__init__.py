"""What `calendars:` closes: dates, weekly spans, iCalendar files and public holidays, as Closures for each job."""

from config.calendars.book import Book

__all__ = ["Book"]
