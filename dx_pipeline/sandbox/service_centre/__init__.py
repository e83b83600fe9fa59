"""The service centre's API (Trung tâm Phục vụ hành chính công): ratings, petitions, transactions."""
