"""x"""
from .scenario import *
