"""Field reports of citizens (phản ánh hiện trường), as the operations centre's API gives them."""
