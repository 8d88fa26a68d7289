#include <cases/chapters.hpp>
