"""`/console/`: what the people of an organisation work with. One folder a page: facts, words, views, urls."""
