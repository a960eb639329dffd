"""Files made from a page by another program or package: PDF, word processor files, notebooks."""
