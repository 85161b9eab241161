#pragma once

#include <string_view>

namespace ptnas {

// What a JPEG says beside its pixels. Every read is checked; nothing here throws.

/// The EXIF orientation (1 to 8) in the APP1 segment; 1 where there is none or it is damaged.
int jpeg_orientation(std::string_view jpeg);

/// The same from EXIF data alone, which begins with its TIFF header ("II*\0" or "MM\0*").
int exif_orientation(std::string_view tiff);

/// True where there is an Adobe APP14 segment: such files hold inverted CMYK.
bool has_adobe_segment(std::string_view jpeg);

}  // namespace ptnas
