"""Reading what students hand in: files into sheets (texts with their places), sheets into submissions."""
