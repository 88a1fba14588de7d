package spec

// Limits of a spec. One over is a Problem that names the limit.
const (
	MaxBytes         = 128 << 10 // the YAML document
	MaxDepth         = 16        // nesting of its mappings and lists
	MaxIndicators    = 2048      // words that look like anchors, tags and explicit keys: the YAML reader is slow at them
	MaxTemplates     = 1000
	MaxTemplateBytes = 2048 // the text of one
	MaxVariants      = 32   // ways to read one template: each optional part doubles them
	MaxWidth         = 24   // edges that may look at one byte of a record, see the package comment of sdk/go/template
	MaxKeys          = 512  // entries of fields
	MaxFields        = 1023 // different field names
	MaxSet           = 64   // constants of one template, and of the spec
	MaxMaps          = 64
	MaxMapEntries    = 512
	MaxRequired      = 16 // keys that a record must have
	MaxPrograms      = 32 // names of programs
	MaxTextBytes     = 1024
	MaxProgramBytes  = 64 << 10 // the compiled spec; its settings have to fit into the IN of an ordinary instance (ABI 2.2)
	MaxProblems      = 50       // that are reported at once
	MinRouteBytes    = 4        // of a literal that routes records
	MaxSamples       = 200      // that Suggest looks at
	MaxSampleBytes   = 4096     // of one of them
	MaxShapeBytes    = 256
	shapeReads       = 4 * MaxShapeBytes // of a line, for its shape
)
