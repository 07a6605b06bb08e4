"""Many images: folders to tables, on one machine or many."""
