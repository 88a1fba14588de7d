package main

// symbols are the end of a word, letters, digits (which are one) and the hyphen, as in train.go.
const symbols = 29

func symbol(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 1
	case c >= '0' && c <= '9':
		return 27
	case c == '-':
		return 28
	}
	return 0
}

// chosenPart returns the part of a name that its owner has chosen: the label before the top-level domain, or before a short
// one below a country's, as in example.co.uk.
func chosenPart(name []byte) []byte {
	end := len(name)
	if end > 0 && name[end-1] == '.' {
		end--
	}
	part := func() []byte { // takes the last label off
		at := end
		for at > 0 && name[at-1] != '.' {
			at--
		}
		label := name[at:end]
		end = max(at-1, 0)
		return label
	}
	top := part()
	label := part()
	if len(top) == 2 && len(label) <= 3 && end > 0 {
		label = part()
	}
	return label
}

// random returns how little a label looks as if it were made of words: the mean surprise of its symbols, in quarters of a bit.
// Names made of words have 10 to 20, letters by chance 21 to 37.
func random(label []byte) int {
	a, b, sum := 0, 0, 0
	for i := 0; i <= len(label); i++ {
		c := 0
		if i < len(label) {
			c = symbol(label[i] | 0x20) // small letters; digits and hyphens have the bit
		}
		sum += int(surprise[(a*symbols+b)*symbols+c] - '0')
		a, b = b, c
	}
	return sum / (len(label) + 1)
}
