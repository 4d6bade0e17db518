// Nothing: a precompiled header wants a source (cmake/modules.cmake).
