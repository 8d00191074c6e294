"""What is wrong between Loket and its servers, and what would mend it; nothing is changed anywhere."""
