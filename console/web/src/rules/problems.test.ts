import { expect, test } from 'vitest';
import { placesOf } from './problems';

test('a field is found where it is tested, not where its name occurs', () => {
  const text = 'title: Image of x\ndetection:\n  sel:\n    Image|endswith: \\x.exe\n    - Image: y\n    "Image" : z\n    ParentImage: Image\n    Images: a\n';
  expect(placesOf(text, 'Image')).toEqual([{ line: 4, column: 5 }, { line: 5, column: 7 }, { line: 6, column: 6 }]);
  expect(placesOf('a.b: 1\naxb: 2\n', 'a.b')).toEqual([{ line: 1, column: 1 }]);
});
