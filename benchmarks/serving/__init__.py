"""Speed of the prediction service beside servers as tutorials write them."""
