"""What a written model can carry beside replies: tables of next tokens."""
