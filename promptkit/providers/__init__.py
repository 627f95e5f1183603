"""One file a provider. What llama.cpp needs is in llama/, what the hosted and served chat APIs share in remote/."""
