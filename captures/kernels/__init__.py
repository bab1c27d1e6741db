"""Code that is compiled: the loop over packets and all that it calls, arrays in, arrays out."""
