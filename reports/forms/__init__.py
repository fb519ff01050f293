"""The forms that are written: Markdown, HTML, short texts, data frames, comparisons, histories."""
