"""What several of this family's scenarios use: the techniques themselves are beside them."""
