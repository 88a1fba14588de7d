package main

// MaxScratchBytes bounds the values of one record that have to be unescaped; what is beyond stays as it is written.
const MaxScratchBytes = 16 << 10

// MaxPairs bounds the key=value pairs or JSON members of a record that are looked at.
const MaxPairs = 400
