"""What makes one project name look like another: slips, the language of names, added words."""
