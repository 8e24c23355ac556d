"""Random recurrent programs: what they are made of, what they are fed, and what is checked of each."""
