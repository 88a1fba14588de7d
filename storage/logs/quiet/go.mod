module aaa.vedette/quiet

go 1.24
