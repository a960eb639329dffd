"""The pages of networks with other than dense layers: index notation, an entry worked in full, then the whole array."""
